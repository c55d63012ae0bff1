package program

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestJava(t *testing.T) {
	const jvm = "/usr/lib/jvm/java-17-openjdk-amd64/bin/java"
	const long = "java -Xmx1g -XX:+UseG1GC -javaagent:/x/agent.jar=a=b "
	check(t, []row{
		{jvm, "java -cp . Orders", nil, "Orders"},
		{jvm, long + "-cp a.jar:b.jar com.example.Inventory", nil, "Inventory"},
		{jvm, "java --add-opens java.base/java.lang=ALL-UNNAMED -cp . Orders", nil, "Orders"},
		{jvm, "java --add-opens=java.base/java.lang=ALL-UNNAMED -cp . Orders", nil, "Orders"},
		{jvm, "java --add-modules jdk.httpserver --enable-preview -cp . Orders", nil, "Orders"},
		{jvm, "java --add-opens java.base/java.lang=ALL-UNNAMED -jar x.jar", nil, "x"},
		{jvm, "java -jar /srv/orders.jar --port=1", nil, "orders"},
		{jvm, "java -Xmx64m -jar orders-1.4.2.jar", nil, "orders"},
		{jvm, "java -jar -Xmx64m orders.jar", nil, "orders"},
		{jvm, "java -jar orders-service-2.0.0-SNAPSHOT.jar", nil, "orders-service"},
		{jvm, "java -jar orders-1.0.0.RELEASE-exec.jar", nil, "orders"},
		{jvm, "java -jar orders-20240131.1-all.jar", nil, "orders"},
		{jvm, "java -jar log4j2-web-3.jar", nil, "log4j2-web"},
		{jvm, "java -jar app.jar", in("/srv/orders"), "orders"},
		{jvm, "java -jar /app/app.jar", in("/"), "app"},
		{jvm, "java -jar target/quarkus-app/quarkus-run.jar", in("/home/u/orders"), "orders"},
		{jvm, "java -jar jenkins.war", nil, "jenkins"},
		{jvm, "java Orders.java", nil, "Orders"},
		{jvm, "java --source 17 --enable-preview Orders.java 80", nil, "Orders"},
		{jvm, "java -m shop.orders/com.example.Inventory", nil, "Inventory"},
		{jvm, "java -p mods --module shop.orders/com.shop.orders.Main", nil, "orders"},
		{jvm, "java --module-path mods -m com.shop.orders", nil, "orders"},
		{jvm, "java --module=orders/com.shop.Cart", nil, "Cart"},
		{jvm, "java @args.txt", fakeFiles{"dir": "/srv", "/srv/args.txt": "-cp\n.\nOrders\n"}, "Orders"},
		{jvm, "java @/etc/jvm.options -jar cart.jar", fakeFiles{"/etc/jvm.options": "-Xmx1g # heap\n\"-Da=b c\"\n"}, "cart"},
		{jvm, "java -cp . Orders @not.this", fakeFiles{"dir": "/", "/not.this": "Cart"}, "Orders"},
		{jvm, "java @gone.txt", in("/srv"), "java"},
		{jvm, "java -version", nil, "java"},
		{jvm, "java -cp app.jar com.shop.orders.Main", nil, "orders"},
		{jvm, "java -cp app.jar com.shop.Application", nil, "shop"},
		{jvm, "java -cp x com.shop.OrdersKt", nil, "Orders"},
		{jvm, "java -cp . Main", in("/home/u/cart"), "cart"},
		{jvm, "java -cp . Main", nil, "Main"},
		{jvm, "java -cp orders-1.0.jar org.springframework.boot.loader.JarLauncher", nil, "orders"},
		{jvm, "java org.springframework.boot.loader.launch.JarLauncher", nil, "spring-boot"},
		{jvm, "java org.springframework.boot.loader.launch.JarLauncher", fakeFiles{"dir": "/application", "/application/META-INF/MANIFEST.MF": "Manifest-Version: 1.0\r\nStart-Class: com.shop.OrdersApplication\r\n"}, "OrdersApplication"},
		{jvm, "java -Dcatalina.base=/opt/tomcat -cp b.jar org.apache.catalina.startup.Bootstrap start", nil, "tomcat"},
		{jvm, "java -Dcatalina.base=/opt/apache-tomcat-9.0.65 -cp b.jar org.apache.catalina.startup.Bootstrap start", nil, "tomcat"},
		{jvm, "java -Dcatalina.base=/srv/shop -cp b.jar org.apache.catalina.startup.Bootstrap start", nil, "shop"},
		{jvm, "java -cp libs/* kafka.Kafka server.properties", nil, "kafka"},
		{jvm, "java -cp x org.apache.zookeeper.server.quorum.QuorumPeerMain", nil, "zookeeper"},
		{jvm, "java -Dmaven.multiModuleProjectDirectory=/home/u/orders -cp x org.codehaus.plexus.classworlds.launcher.Launcher spring-boot:run", nil, "orders"},
	})
}

func TestArgfile(t *testing.T) {
	for text, want := range map[string]string{
		"-cp\n.\nOrders\n":               "-cp|.|Orders",
		"a 'b c' \"d \\\"e\" f#g # h\ni": "a|b c|d \"e|f#g|i",
		"\"x\\\ny\" ''":                  "xy|",
		"# only\r\n":                     "",
		"":                               "",
		"'open":                          "open",
	} {
		if got := strings.Join(argfile(text), "|"); got != want {
			t.Errorf("%q has the words %q, want %q", text, got, want)
		}
	}
	if got := len(argfile(strings.Repeat("x ", 1<<16))); got > maxWords+1 {
		t.Errorf("%d words, want at most %d", got, maxWords)
	}
	c := context{files: fakeFiles{"/a": "x"}}
	want := []string{"@x", "-disable-@files", "@/a"}
	if diff := cmp.Diff(want, c.expandArgfiles([]string{"@@x", "-disable-@files", "@/a"})); diff != "" {
		t.Errorf("words (-want +got):\n%s", diff)
	}
}
