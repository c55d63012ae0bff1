// Package php recognises PHP as command line, FPM, CGI, and inside Apache or another server.
package php
