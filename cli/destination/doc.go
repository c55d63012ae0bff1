// Package destination implements `odi destination`: where the data goes. Its
// subcommands are rooms below this folder.
package destination
