package answer

import "testing"

func TestCauses(t *testing.T) {
	for words, want := range map[string]string{
		"": "",
		`rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 10.0.0.1:9: connect: connection refused"`: "connection refused",
		`rpc error: code = Unauthenticated desc = the key hunter2 is not known`:                                                                            "it refuses the credentials (Unauthenticated)",
		`rpc error: code = Hunter2 desc = x`: "it refuses the data",
		`request to http://h/v1/traces responded with HTTP Status Code 404, Message=<h1>hunter2</h1>`:                                                                            "there is nothing that takes this signal (404)",
		`request to http://h/v1/traces responded with HTTP Status Code 418, Message=hunter2`:                                                                                     "it refuses the data (418)",
		`failed to make an HTTP request: Post "http://h": dial tcp: lookup h: no such host`:                                                                                      "no such host",
		`failed to make an HTTP request: Post "http://h": dial tcp 169.254.169.254:80: address not allowed`:                                                                      "odi sends nothing to this address",
		`tls: failed to verify certificate: x509: certificate signed by unknown authority (hunter2)`:                                                                             "its certificate is signed by an authority that is not known here; ca_pem may name it",
		`rpc error: code = Unavailable desc = no children to pick from`:                                                                                                          "no such host",
		`rpc error: code = Unavailable desc = connection error: desc = "error reading server preface: raw-read tcp 10.0.0.1:5->10.0.0.2:4317: use of closed network connection"`: "no answer in time",
		`failed to make an HTTP request: Post "http://h": no OAuth2 token: HTTP 401 Unauthorized: invalid_client: hunter2`:                                                       "its token endpoint gives no token (401, invalid_client)",
		`rpc error: code = Unavailable desc = no OAuth2 token: HTTP 400 Bad Request: {"error":"hunter2"}`:                                                                        "its token endpoint gives no token (400)",
		`rpc error: code = Unavailable desc = no OAuth2 token: Post "http://h/": dial tcp 10.0.0.1:9: connect: connection refused`:                                               "its token endpoint gives no token: connection refused",
		`rpc error: code = Unavailable desc = no OAuth2 token: cannot parse json: invalid character 'h'`:                                                                         "its token endpoint gives no token: there is none in its answer",
		`{"AccessKeyId":"hunter2"}`: "it cannot be reached, or refuses the data",
	} {
		if got := Cause(words); got != want {
			t.Errorf("%s\ngot  %q\nwant %q", words, got, want)
		}
	}
}

// TestLastingCauses: of these, whoever waits is told at once.
func TestLastingCauses(t *testing.T) {
	for words, want := range map[string]bool{
		"": false,
		`rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial tcp 10.0.0.1:9: connect: connection refused"`: false,
		`dial tcp: lookup h: no such host`: false,
		`context deadline exceeded`:        false,
		`request to http://h/v1/traces responded with HTTP Status Code 503, Message=x`:                                                                     false,
		`request to http://h/v1/traces responded with HTTP Status Code 404, Message=x`:                                                                     true,
		`request to http://h/v1/traces responded with HTTP Status Code 401, Message=x`:                                                                     true,
		`rpc error: code = Unavailable desc = connection error: desc = "error reading server preface: http2: frame too large"`:                             true,
		`rpc error: code = Unimplemented desc = unexpected HTTP status code received from server: 404 (Not Found); transport: received unexpected content`: true,
		`rpc error: code = Unavailable desc = no OAuth2 token: HTTP 401 Unauthorized: invalid_client`:                                                      true,
		`rpc error: code = Unavailable desc = no OAuth2 token: HTTP 503 Service Unavailable`:                                                               false,
		`no OAuth2 token: Post "http://h/": dial tcp 169.254.169.254:80: address not allowed`:                                                              true,
		`rpc error: code = PermissionDenied desc = x`:                                                                                                      true,
		`tls: failed to verify certificate: x509: certificate signed by unknown authority`:                                                                 true,
		`tls: first record does not look like a TLS handshake`:                                                                                             true,
	} {
		if got := Lasts(Cause(words)); got != want {
			t.Errorf("%s (%s): %t, want %t", words, Cause(words), got, want)
		}
	}
}
