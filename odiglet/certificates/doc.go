// Package certificates makes a metric of when the certificates expire that servers have shown in the
// clear: under the resource of the process's service. The engine knows them.
package certificates
