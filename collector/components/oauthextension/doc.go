// Package oauthextension signs in to backends by OAuth 2 client credentials: it
// fetches a token from the destination's token endpoint, keeps it until shortly
// before its end, and adds it to each request as the header authorization.
//
// Tokens are fetched through the middlewares that the configuration names, so
// that odi_guard judges the token endpoint's address as it judges the backend's.
// A token that is not to be had is an error of that destination's requests, never
// of the start: its data waits in its queue, and nobody else's does.
//
// An exporter uses it before the guard: middlewares: [{id: odi_oauth2/NAME}, {id: odi_guard}].
package oauthextension
