import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.security.cert.X509Certificate;
import java.util.List;
import javax.net.ssl.SNIHostName;
import javax.net.ssl.SSLContext;
import javax.net.ssl.SSLParameters;
import javax.net.ssl.SSLSocket;
import javax.net.ssl.TrustManager;
import javax.net.ssl.X509TrustManager;

/** Opens TLS connections, each for a name of its own, and says what came of each: port, version, how many. */
public class Shake {
    public static void main(String[] args) throws Exception {
        TrustManager anybody = new X509TrustManager() {
            public void checkClientTrusted(X509Certificate[] chain, String type) {}

            public void checkServerTrusted(X509Certificate[] chain, String type) {}

            public X509Certificate[] getAcceptedIssuers() {
                return new X509Certificate[0];
            }
        };
        System.out.println("ready");
        new BufferedReader(new InputStreamReader(System.in)).readLine();
        for (int i = 0; i < Integer.parseInt(args[2]); i++) {
            SSLContext context = SSLContext.getInstance("TLS"); // of its own: no session is resumed
            context.init(null, new TrustManager[] {anybody}, null);
            SSLSocket socket = (SSLSocket) context.getSocketFactory().createSocket("127.0.0.1", Integer.parseInt(args[0]));
            socket.setEnabledProtocols(new String[] {"TLSv" + args[1]});
            SSLParameters parameters = socket.getSSLParameters();
            parameters.setServerNames(List.of(new SNIHostName("n" + i + ".shop.test")));
            socket.setSSLParameters(parameters);
            socket.startHandshake();
            socket.getInputStream().readNBytes(5);
            System.out.printf("{\"Name\": \"n%d.shop.test\", \"Version\": \"%s\", \"Cipher\": \"%s\"}%n",
                    i, socket.getSession().getProtocol().substring(4), socket.getSession().getCipherSuite());
            socket.close();
        }
        new BufferedReader(new InputStreamReader(System.in)).readLine();
    }
}
