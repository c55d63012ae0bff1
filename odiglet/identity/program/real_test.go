package program

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	testprogram "github.com/odi-dev/odi/internal/testkit/program"
)

// TestRealInterpreters runs command lines: where the interpreter itself runs the
// program, it took each option's value as we do.
func TestRealInterpreters(t *testing.T) {
	dir := t.TempDir()
	for name, text := range map[string]string{
		"worker.py": "print('ran')", "worker.js": "console.log('ran')", "worker.rb": "puts 'ran'", "worker.pl": "print 'ran'",
		"worker.php": "<?php echo 'ran';", "worker.sh": "echo ran",
		"Worker.java": "public class Worker { public static void main(String[] a) { System.out.println(\"ran\"); } }",
		"args.txt":    "# heap\n-Xmx64m -cp '.' \"Worker\"", "pre.js": "", "pre.mjs": "", ".env": "", "lib/pre.rb": "", "mod/__init__.py": "", "mod/web.py": "print('ran')",
	} {
		name = filepath.Join(dir, name)
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	javac := testprogram.Command(t, "javac", "-d", ".", "Worker.java")
	javac.Dir = dir
	if out, err := javac.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for line, want := range map[string]string{
		"python3 -u -X dev -W error worker.py":                                          "worker",
		"python3 -Wignore -OBsP -Xutf8 worker.py":                                       "worker",
		"python3 -uW ignore --check-hash-based-pycs never worker.py":                    "worker",
		"python3 -m mod.web":                                                            "mod.web",
		"python3 -um mod.web":                                                           "mod.web",
		"python3 -mmod.web -x":                                                          "mod.web",
		"python3 -E -- worker.py":                                                       "worker",
		"node -r ./pre.js -C a --conditions b worker.js":                                "worker",
		"node --require ./pre.js --import ./pre.mjs --no-warnings worker.js":            "worker",
		"node --max-http-header-size 32768 --unhandled-rejections strict worker.js":     "worker",
		"node --dns-result-order ipv4first --icu-data-dir . --v8-pool-size 2 worker.js": "worker",
		"node --redirect-warnings w.txt --report-dir . --diagnostic-dir . worker.js":    "worker",
		"node --tls-cipher-list x --disable-proto delete worker.js":                     "worker",
		"node --trace-event-categories v8 --heapsnapshot-signal SIGUSR2 worker.js":      "worker",
		"node --inspect-port 0 --secure-heap 0 --max-old-space-size=64 worker.js":       "worker",
		"node --title orders worker.js":                                                 "orders",
		"ruby -I lib -r pre -W0 -w worker.rb":                                           "worker",
		"ruby -Ilib -rpre -C . -E utf-8 --external-encoding utf-8 worker.rb":            "worker",
		"ruby -wI lib --encoding utf-8 --internal-encoding utf-8 worker.rb":             "worker",
		"ruby --backtrace-limit 3 --yjit worker.rb":                                     "worker",
		"php -d memory_limit=1G -n -c . worker.php":                                     "worker",
		"php -ndmemory_limit=1G --define a=b worker.php x":                              "worker",
		"php --php-ini . -f worker.php":                                                 "worker",
		"perl -I lib -w -Mstrict -T worker.pl":                                          "worker",
		"perl -Ilib -CS -W -- worker.pl":                                                "worker",
		"bash -eo pipefail -O extglob worker.sh":                                        "worker",
		"bash --norc --rcfile x worker.sh":                                              "worker",
		"java -cp . --add-opens java.base/java.lang=ALL-UNNAMED Worker":                 "Worker",
		"java --class-path . --add-modules jdk.httpserver --add-reads java.base=java.logging --add-exports java.base/sun.nio.ch=ALL-UNNAMED Worker": "Worker",
		"java --limit-modules java.base -p . --upgrade-module-path . -classpath . Worker":                                                           "Worker",
		"java --enable-native-access ALL-UNNAMED --patch-module java.logging=. -cp . Worker":                                                        "Worker",
		"java @args.txt":                                                     "Worker",
		"java --source 17 Worker.java x":                                     "Worker",
		"env -u HOME -C . A=1 python3 worker.py":                             "worker",
		"timeout -k 5 -s TERM 60 nice -n 1 stdbuf -o L nohup node worker.js": "worker",
	} {
		t.Run(line, func(t *testing.T) {
			args := strings.Fields(line)
			cmd := testprogram.Command(t, args[0], args[1:]...)
			cmd.Dir = dir
			exe := cmd.Path
			out, err := cmd.CombinedOutput()
			if err != nil || !strings.Contains(string(out), "ran") {
				t.Errorf("the program does not run: %v\n%s", err, out)
			}
			if got := Name(Command{Exe: exe, Args: args, Files: dirFiles{dir}}); got != want {
				t.Errorf("named %s, want %s", got, want)
			}
		})
	}
}

// dirFiles are the files of this machine, as of a process in a folder.
type dirFiles struct{ dir string }

func (d dirFiles) Dir() string { return d.dir }

func (d dirFiles) Read(path string) []byte {
	text, err := os.ReadFile(path)
	if err != nil {
		return nil
	}
	return text
}
