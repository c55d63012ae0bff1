package routes

import (
	"fmt"
	"strings"
	"testing"
)

// fixed are names that somebody chose. None may become a parameter by its looks.
const fixed = `GetHTTPSURLFromXML parseXMLToJSON oauth2CallbackHandler base64UrlEncoder getUserByIdAndName com.example.shop.OrderService
	ListTagsForResource DescribeDBInstances PutBucketACL getIOPSByVM CreateVPCEndpointServiceConfiguration UpdateUserSSHPublicKeyV2
	x-www-form-urlencoded forgot-password sign_in_with_google how-it-works frequently-asked-questions openid-configuration
	cluster-state-update jwks_uri self-service-portal v1 v2 V3 v1beta1 v2alpha1 v1.2 _search _doc ~alice .env b2b p2p e2e i18n l10n
	jsi18n a11y k8s s3 ec2 md5 sha1 sha256 utf8 ipv4 ipv6 oauth2 oauth2-redirect mp3 h2 http2 web3 log4j2 x509 3d-secure 2fa 4k 1password
	area51 covid19 step1 page2 top10 windows11 c2c base64 node-exporter prometheus k8sDeploymentList p2pNetworkManager uploadToS3Bucket getEC2InstanceState convertMp3ToWavFile decade facade deadbeef cafe face2face beehive
	SOAPService WSDL OData JSON-RPC getAllQRCodes isURLSafe toDoList uploadToS3 readFromKafkaTopic HelloWorldController_2
	Straße año größe 订单 ユーザー заказы angstschweiss schifffahrtsgesellschaft`

func TestNamesThatSomebodyChoseStayWords(t *testing.T) {
	for name := range strings.FieldsSeq(fixed) {
		if got := server(NewBook(), "/x/"+name); got != "/x/"+name {
			t.Errorf("%s is called %s", name, got)
		}
	}
}

// TestNamesAmongIdentifiersStayWords is about what is more than usually suspect.
func TestNamesAmongIdentifiersStayWords(t *testing.T) {
	b := NewBook()
	for i := range 100 {
		server(b, fmt.Sprint("/x/", i))
	}
	for _, name := range []string{"ver-por-mes-y-ano", "exportarTodosPedidos", "pedidos_por_tienda", "PruefeAlleBenutzer", "cafe", "k8sListe"} {
		if got := server(b, "/x/"+name); got != "/x/"+name {
			t.Errorf("%s is called %s", name, got)
		}
	}
	for _, token := range []string{"deadbeef", "obj_egmyw7yPXOvoqaeyKbjg"} {
		if got := server(b, "/x/"+token); got != "/x/{id}" {
			t.Errorf("%s is called %s", token, got)
		}
	}
}

func TestVocabulary(t *testing.T) {
	for name, want := range map[string]bool{
		"users": true, "User": true, "categories": true, "addresses": true, "payment_intents": true, "listUsers": true, "orders.json": true,
		"terms-of-service": true, "v2": true, "getHTTPRequest": false, "alice": false, "pedidos": false, "of": false, "usersalice": false,
		"batchGet": true, "page2": true, "messages:batchGet": true, strings.Repeat("user", 10): false, "": false,
	} {
		if got := isCommon(name); got != want {
			t.Errorf("isCommon(%s) = %v", name, got)
		}
	}
}
