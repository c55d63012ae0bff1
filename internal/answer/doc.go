// Package answer knows what the answers of backends mean. Cause is one of a few
// for any error of an exporter, and says no word of the backend's: the manager
// puts it into statuses, which people may read who may not reach the backend.
// Explain is for whoever tests a destination and may reach the gateway: it adds
// the backend's words, how far the data came, and a hint. Both are pure.
package answer
