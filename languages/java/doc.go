// Package java recognises Java virtual machines under any launcher, and GraalVM native images.
package java
