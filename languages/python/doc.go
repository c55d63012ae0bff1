// Package python recognises CPython and PyPy, also embedded (uWSGI, mod_wsgi, PyInstaller).
package python
