// Package nodejs recognises Node.js, also under another name or as a shared library.
package nodejs
