package main

import (
	"os"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
)

// Where these name files, calls go over TLS: the server's certificate, which clients trust, and its key.
const (
	certificate = "PEER_CERTIFICATE"
	key         = "PEER_KEY"
)

func clientCredentials() (credentials.TransportCredentials, error) {
	if os.Getenv(certificate) == "" {
		return insecure.NewCredentials(), nil
	}
	return credentials.NewClientTLSFromFile(os.Getenv(certificate), "")
}

func serverCredentials() (credentials.TransportCredentials, error) {
	if os.Getenv(certificate) == "" {
		return insecure.NewCredentials(), nil
	}
	return credentials.NewServerTLSFromFile(os.Getenv(certificate), os.Getenv(key))
}
