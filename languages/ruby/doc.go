// Package ruby recognises CRuby, also embedded (Passenger). JRuby is Java.
package ruby
