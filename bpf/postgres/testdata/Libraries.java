// Asks PostgreSQL by its driver for Java: java Libraries.java PORT. Waits for a line.
import java.sql.*;

public class Libraries {
    public static void main(String[] args) throws Exception {
        System.in.read();
        try (Connection c = DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + args[0] + "/postgres?user=postgres&sslmode=disable")) {
            try (PreparedStatement s = c.prepareStatement("SELECT ?::int + 1")) { // from the fifth time on it is prepared at the server
                for (int i = 0; i < 50; i++) {
                    s.setInt(1, i);
                    s.executeQuery().close();
                }
            }
            try (Statement s = c.createStatement()) {
                s.execute("CREATE TEMP TABLE t (x int)");
                s.addBatch("INSERT INTO t VALUES (1)");
                s.addBatch("INSERT INTO t VALUES (2)");
                s.executeBatch();
            }
            try (PreparedStatement s = c.prepareStatement("INSERT INTO t VALUES (?)")) {
                for (int i = 0; i < 20; i++) {
                    s.setInt(1, i);
                    s.addBatch();
                }
                s.executeBatch();
            }
            try (Statement s = c.createStatement()) {
                s.execute("SELECT * FROM nope");
            } catch (SQLException e) {
                if (!e.getSQLState().equals("42P01")) {
                    throw e;
                }
            }
        }
    }
}
