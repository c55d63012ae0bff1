// Package namespaces tells the API server about whose new pods to ask the webhook:
// those of namespaces in which a container is to have an agent, and no others. It
// writes one thing, a part of odi's own MutatingWebhookConfiguration: whom it is for,
// and by which authority the webhook is known. No namespace is ever written to.
package namespaces
