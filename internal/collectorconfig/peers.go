package collectorconfig

import "path"

// CredentialsDir is where the collectors find their certificates and the gateway
// also the credentials of the Destinations.
const CredentialsDir = "/etc/odi-credentials"

// rereadEvery is how soon a renewed certificate is shown to who connects; the old
// one is good for another month.
const rereadEvery = "1m"

// serverTLS takes only clients that have a certificate of this hop's own
// authorities. A changed list of authorities reloads the collector, which then
// reads the file: the receiver's own way to watch it leaves a watch behind at each
// reload, until the kernel gives no more of them.
func serverTLS() object {
	return object{
		"cert_file":       path.Join(CredentialsDir, "server.crt"),
		"key_file":        path.Join(CredentialsDir, "server.key"),
		"client_ca_file":  "${secretfile:clients.crt}",
		"reload_interval": rereadEvery,
		"min_version":     "1.3",
	}
}

// clientTLS is a node collector's towards the gateway.
func clientTLS() object {
	return object{
		"cert_file":       path.Join(CredentialsDir, "client.crt"),
		"key_file":        path.Join(CredentialsDir, "client.key"),
		"ca_pem":          "${secret:gateway.crt}",
		"reload_interval": rereadEvery,
		"min_version":     "1.3",
	}
}

// keepalive ends connections now and then, so that who is no longer trusted does
// not stay on one from before. Clients finish what they have begun.
func keepalive() object {
	return object{"server_parameters": object{"max_connection_age": "10m", "max_connection_age_grace": "30s"}}
}
