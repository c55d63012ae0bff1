package program

import (
	"cmp"
	"path"
	"regexp"
	"slices"
	"strings"
)

var java = family{exes: []string{"java", "javaw"}, name: nameOfJava}

// javaOptions are those of Java 8 to 25 that take the next word (java --help,
// --help-extra); -jar does not: options may follow it.
var javaOptions = grammar{
	values: []string{
		"-cp", "-classpath", "--class-path", "-p", "--module-path", "--upgrade-module-path", "--add-modules", "--limit-modules",
		"--enable-native-access", "--add-reads", "--add-exports", "--add-opens", "--patch-module", "--source", "-d", "--describe-module",
	},
	modules: []string{"-m", "--module"},
}

// javaServers are main classes that say nothing of the service, or that people
// call otherwise.
var javaServers = map[string]string{
	"kafka.Kafka": "kafka",
	"org.apache.zookeeper.server.quorum.QuorumPeerMain":       "zookeeper",
	"org.apache.cassandra.service.CassandraDaemon":            "cassandra",
	"org.elasticsearch.bootstrap.Elasticsearch":               "elasticsearch",
	"org.opensearch.bootstrap.OpenSearch":                     "opensearch",
	"org.apache.activemq.artemis.boot.Artemis":                "artemis",
	"org.apache.kafka.connect.cli.ConnectDistributed":         "kafka-connect",
	"org.apache.flink.runtime.taskexecutor.TaskManagerRunner": "flink-taskmanager",
	"org.neo4j.server.CommunityEntryPoint":                    "neo4j",
	"org.jboss.modules.Main":                                  "wildfly",
	"io.quarkus.bootstrap.runner.QuarkusEntryPoint":           "quarkus",
	"org.eclipse.jetty.start.Main":                            "jetty",
	"org.gradle.launcher.daemon.bootstrap.GradleDaemon":       "gradle",
	"org.gradle.wrapper.GradleWrapperMain":                    "gradle",
	"org.codehaus.plexus.classworlds.launcher.Launcher":       "maven",
	"org.codehaus.classworlds.Launcher":                       "maven",
	tomcat:                                                    "tomcat",
}

const tomcat = "org.apache.catalina.startup.Bootstrap"

// springLauncher starts the application that an archive's manifest names.
var springLauncher = regexp.MustCompile(`^org\.springframework\.boot\.loader\.(launch\.)?(Jar|War|Properties)Launcher$`)

// genericArchives are archives that tools call by one name in every project.
var genericArchives = []string{"quarkus-run", "jboss-modules", "start", "service", "boot", "runner", "web"}

func nameOfJava(c context) string {
	words := c.expandArgfiles(c.words)
	f := javaOptions.find(words)
	_, isArchive := f.options["-jar"]
	switch {
	case f.kind == module:
		name, class, ok := strings.Cut(f.word, "/")
		if !ok {
			return lastOf(name)
		}
		return c.className(class, words)
	case f.kind != file:
		return ""
	case isArchive:
		return c.archiveName(f.word)
	case strings.HasSuffix(f.word, ".java"):
		return c.orPlace(withoutEnding(f.word), f.word)
	}
	return c.className(f.word, words)
}

// version is how build tools write a version behind a name, with what they append to it.
var version = regexp.MustCompile(`(?i)[-_.]v?[0-9]+(\.[0-9]+)*([-.+](snapshot|release|final|ga|rc|m|alpha|beta|b|sp|build|[0-9a-f]+)[-.]?[0-9]*)*(-(all|exec|boot|fat|uber|shaded|runner|standalone|jar-with-dependencies|assembly))?$`)

var assembled = regexp.MustCompile(`-(all|exec|fat|uber|shaded|runner|standalone|jar-with-dependencies|assembly|snapshot|SNAPSHOT)$`)

// archiveName is orders of /srv/orders-1.4.2.jar.
func (c context) archiveName(file string) string {
	name := withoutEnding(file)
	bare := assembled.ReplaceAllString(version.ReplaceAllString(name, ""), "")
	name = cmp.Or(bare, name)
	if slices.Contains(genericArchives, name) {
		return cmp.Or(c.place(path.Dir(c.absolute(file))), name)
	}
	return c.orPlace(name, file)
}

// className is Inventory of com.example.Inventory, and inventory of
// com.example.inventory.Main.
func (c context) className(class string, words []string) string {
	switch {
	case springLauncher.MatchString(class):
		return cmp.Or(c.springName(words), "spring-boot")
	case class == tomcat:
		return cmp.Or(c.tomcatName(words), javaServers[class])
	case javaServers[class] == "maven":
		return cmp.Or(c.place(property(words, "maven.multiModuleProjectDirectory")), javaServers[class])
	case javaServers[class] == "quarkus":
		return cmp.Or(c.dir(), javaServers[class])
	case javaServers[class] != "":
		return javaServers[class]
	}
	name := lastOf(class)
	if cut := strings.TrimSuffix(name, "Kt"); cut != "" { // Kotlin's class of a file
		name = cut
	}
	packages := strings.Split(class, ".")
	if slices.Contains(generic, strings.ToLower(name)) {
		if len(packages) > 2 && !slices.Contains(nobodys, packages[len(packages)-2]) && !slices.Contains(structural, packages[len(packages)-2]) {
			return packages[len(packages)-2]
		}
		return cmp.Or(c.dir(), name)
	}
	return name
}

func lastOf(class string) string {
	return class[strings.LastIndexAny(class, ".$")+1:]
}

// springName is the name of what a launcher of Spring Boot starts: its archive on
// the class path, else the manifest of the unpacked archive in the working directory.
func (c context) springName(words []string) string {
	f := javaOptions.find(words)
	for entry := range strings.SplitSeq(f.option("-cp", "-classpath", "--class-path"), ":") {
		if strings.HasSuffix(entry, ".jar") || strings.HasSuffix(entry, ".war") {
			return c.archiveName(entry)
		}
	}
	if c.files == nil {
		return ""
	}
	manifest := string(c.files.Read(c.absolute("META-INF/MANIFEST.MF")))
	if title := header(manifest, "Implementation-Title"); title != "" {
		return title
	}
	if class := header(manifest, "Start-Class"); class != "" {
		return lastOf(class)
	}
	return c.dir()
}

// header is a line of an archive's manifest.
func header(manifest, name string) string {
	for line := range strings.Lines(manifest) {
		if value, ok := strings.CutPrefix(line, name+": "); ok {
			return strings.TrimSpace(value)
		}
	}
	return ""
}

// tomcatName is the folder of one Tomcat among several.
func (c context) tomcatName(words []string) string {
	base := path.Base(property(words, "catalina.base"))
	bare := strings.TrimPrefix(withoutVersion(version.ReplaceAllString(base, "")), "apache-")
	if bare == "tomcat" || bare == "." || slices.Contains(nobodys, bare) {
		return ""
	}
	return base
}

// property is the value of -Dname=value; empty if it is not there.
func property(words []string, name string) string {
	value := ""
	for _, w := range words {
		if v, ok := strings.CutPrefix(w, "-D"+name+"="); ok {
			value = v
		}
	}
	return value
}
