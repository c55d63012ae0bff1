// Package samplerule reads and writes rules of sampling as they are typed on a command line:
// "/healthz=0" or "POST /orders/*=1". What it takes, the API server takes.
package samplerule
