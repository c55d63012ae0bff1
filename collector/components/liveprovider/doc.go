// Package liveprovider reads the collector's configuration from a file, puts
// secrets in from a folder of files, and tells the collector to reload when
// either changes.
//
// Its URI is live:PATH. In the file, ${secret:NAME} stands for the content of
// $ODI_CREDENTIALS_DIR/NAME (default /etc/odi-credentials), ${secretfile:NAME} for
// that file's path, for settings that take no text: it is watched all the same.
// ${basic:HEX:NAME} stands for the user's name in hex, a colon and the secret, in base64.
// A reload keeps the process, its pod and its persistent queues; a restart of the pod would not.
package liveprovider
