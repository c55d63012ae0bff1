package program

import (
	"path"
	"strings"
	"testing"
)

// fakeFiles is a file system of a test: contents by path, and "dir" by itself.
type fakeFiles map[string]string

func (f fakeFiles) Dir() string { return f["dir"] }

func (f fakeFiles) Read(name string) []byte {
	if text, ok := f[path.Clean(name)]; ok {
		return []byte(text)
	}
	return nil
}

// in is a working directory without files.
func in(dir string) fakeFiles { return fakeFiles{"dir": dir} }

// row is one command line: the executable, its arguments parted by blanks (~ stands
// for a blank in a word), where it runs, and the name.
type row struct {
	exe, line string
	files     fakeFiles
	want      string
}

func check(t *testing.T, rows []row) {
	t.Helper()
	for _, r := range rows {
		t.Run(strings.ReplaceAll(r.line, "/", "_"), func(t *testing.T) {
			c := Command{Exe: r.exe}
			for word := range strings.FieldsSeq(r.line) {
				c.Args = append(c.Args, strings.ReplaceAll(word, "~", " "))
			}
			if r.files != nil {
				c.Files = r.files
			}
			if got := Name(c); got != r.want {
				t.Errorf("%s\nis named %q, want %q", r.line, got, r.want)
			}
		})
	}
}

func TestOtherPrograms(t *testing.T) {
	check(t, []row{
		{"/usr/bin/cart", "cart serve", nil, "cart"},
		{"/usr/bin/nodeagent", "nodeagent x.js", nil, "nodeagent"},
		{"/opt/h2o3", "h2o3 -c x", nil, "h2o3"},
		{"/usr/sbin/nginx", "nginx:~worker~process", nil, "nginx"},
		{"/usr/bin/redis-check-rdb", "/usr/bin/redis-server~127.0.0.1:6379", nil, "redis-server"},
		{"/bin/app", "", nil, "app"},

		{"/usr/bin/perl", "perl shop.pl", nil, "shop"},
		{"/usr/bin/perl", "perl -I lib -w -MCarp shop.pl", nil, "shop"},
		{"/usr/bin/perl5.36.0", "perl -Ilib -T /srv/orders/bin/app.pl", in("/"), "orders"},
		{"/usr/bin/perl", "perl -e 1", nil, "perl"},
		{"/usr/bin/perl", "perl /usr/bin/starman --workers 4 /srv/shop/shop.psgi", nil, "shop"},
		{"/usr/bin/perl", "perl /usr/bin/plackup -p 80 app.psgi", in("/home/u/orders"), "orders"},
		{"/usr/bin/perl", "perl /usr/bin/hypnotoad ./script/shop", in("/"), "shop"},

		{"/app/erts-14.2/bin/beam.smp", "/app/erts-14.2/bin/beam.smp -- -root /app -progname erl -- -noshell -s elixir start_cli -mode embedded -sname orders -config /app/releases/0.1.0/sys -extra --no-halt", nil, "orders"},
		{"/usr/lib/erlang/erts-13.1/bin/beam.smp", "beam.smp -- -root /usr/lib/erlang -- -name shop@10.0.0.1 -noshell", nil, "shop"},
		{"/usr/lib/erlang/erts-13.1/bin/beam.smp", "beam.smp -- -noshell -s elixir start_cli -extra /usr/bin/mix phx.server", in("/home/u/shop"), "shop"},
		{"/usr/lib/erlang/erts-13.1/bin/beam.smp", "beam.smp -- -noshell", nil, "beam.smp"},
	})
}

func TestDotnet(t *testing.T) {
	check(t, []row{
		{"/usr/share/dotnet/dotnet", "dotnet Orders.dll", nil, "Orders"},
		{"/usr/share/dotnet/dotnet", "dotnet /app/Shop.Orders.dll --urls http://+:80", nil, "Shop.Orders"},
		{"/usr/share/dotnet/dotnet", "dotnet exec --runtimeconfig x.json --depsfile y.json Orders.dll", nil, "Orders"},
		{"/usr/share/dotnet/dotnet", "dotnet --roll-forward Major Orders.dll", nil, "Orders"},
		{"/usr/share/dotnet/dotnet", "dotnet run --project src/Orders/Orders.csproj -c Release", nil, "Orders"},
		{"/usr/share/dotnet/dotnet", "dotnet run -c Release", in("/home/u/orders"), "orders"},
		{"/usr/share/dotnet/dotnet", "dotnet watch run --project Orders.csproj", nil, "Orders"},
		{"/usr/share/dotnet/dotnet", "dotnet build", nil, "dotnet"},
		{"/app/Orders", "./Orders", nil, "Orders"},
	})
}

func TestScriptRuntimes(t *testing.T) {
	check(t, []row{
		{"/usr/bin/deno", "deno run --allow-net --allow-env server.ts", nil, "server"},
		{"/usr/bin/deno", "deno serve --port 0 orders.ts", nil, "orders"},
		{"/usr/bin/deno", "deno run -A --unstable-kv --config deno.json --env-file=.env src/worker.ts 80", nil, "worker"},
		{"/usr/bin/deno", "deno --allow-net orders.ts", nil, "orders"},
		{"/usr/bin/deno", "deno run --inspect --watch main.ts", in("/home/u/shop"), "shop"},
		{"/usr/bin/deno", "deno run -c deno.json -L debug https://deno.land/x/shop.ts", nil, "shop"},
		{"/usr/bin/deno", "deno task start", in("/srv/shop"), "shop"},
		{"/usr/bin/deno", "deno task start", nil, "deno"},
		{"/usr/bin/deno", "deno eval 1", nil, "deno"},
		{"/usr/bin/bun", "bun run server.ts", nil, "server"},
		{"/usr/bin/bun", "bun --hot server.ts", nil, "server"},
		{"/usr/bin/bun", "bun --watch run --port 80 orders.ts", nil, "orders"},
		{"/usr/bin/bun", "bun -r ./tracing.ts --env-file .env worker.ts", nil, "worker"},
		{"/usr/bin/bun", "bun run index.ts", fakeFiles{"dir": "/app", "/app/package.json": `{"name":"@shop/orders"}`}, "orders"},
		{"/usr/bin/bun", "bun run start", fakeFiles{"dir": "/app", "/app/package.json": `{"name":"orders"}`}, "orders"},
		{"/usr/bin/bun", "bun -e 1", nil, "bun"},
		{"/usr/bin/bun", "bun install", nil, "bun"},
	})
}

func TestWrappers(t *testing.T) {
	check(t, []row{
		{"/usr/bin/env", "env A=1 node worker.js", nil, "worker"},
		{"/usr/bin/env", "env -u HOME -C /srv A=1 B=2 python3 -m shop.web", nil, "shop.web"},
		{"/sbin/tini", "tini -- node worker.js", nil, "worker"},
		{"/sbin/tini", "tini -g -p SIGTERM -- java -jar orders.jar", nil, "orders"},
		{"/usr/bin/dumb-init", "dumb-init --rewrite 15:3 gunicorn shop.wsgi", nil, "gunicorn"},
		{"/usr/sbin/gosu", "gosu app:app ./orders --port 80", nil, "orders"},
		{"/usr/bin/sudo", "sudo -u app -E A=1 python3.11 worker.py", nil, "worker"},
		{"/usr/bin/timeout", "timeout -k 5 60 ./orders", nil, "orders"},
		{"/usr/bin/nice", "nice -n 5 ruby worker.rb", nil, "worker"},
		{"/usr/bin/stdbuf", "stdbuf -oL -e 0 php worker.php", nil, "worker"},
		{"/usr/bin/uv", "uv run --python 3.12 worker.py", nil, "worker.py"},
		{"/sbin/tini", "tini -- dumb-init -- env A=1 sh /srv/orders/start.sh", in("/"), "orders"},
		{"/sbin/tini", "tini", nil, "tini"},
		{"/bin/dash", "sh -c exec~node~x.js", nil, "dash"},
		{"/bin/bash", "bash -eu deploy.sh 80", nil, "deploy"},
		{"/bin/bash", "bash -o pipefail ./poll.sh", nil, "poll"},
		{"/bin/bash", "-bash", nil, "bash"},
		{"/bin/busybox", "/bin/httpd -f", nil, "httpd"},
		{"/bin/busybox", "sh -c true", nil, "busybox"},
		{"/usr/bin/coreutils", "/usr/bin/env A=1 ./orders", nil, "orders"},
	})
}

// TestHostileCommandLines: nothing that a process writes there does harm.
func FuzzName(f *testing.F) {
	f.Add("/usr/bin/java", "java\x00@x\x00@@y\x00-cp", "a \"b\\")
	f.Add("/usr/bin/python3", "python3\x00-um\x00", "{")
	f.Add("/usr/bin/env", strings.Repeat("env\x00", 50), "")
	f.Fuzz(func(t *testing.T, exe, args, text string) {
		files := fakeFiles{"dir": "/" + exe, "/" + exe + "/package.json": text, "/x": text}
		name := Name(Command{Exe: exe, Args: strings.Split(args, "\x00"), Files: files})
		if strings.ContainsAny(name, "\n\x1b\x00") || len([]rune(name)) > maxName {
			t.Errorf("name %q", name)
		}
	})
}

func TestNamesAreClean(t *testing.T) {
	c := Command{Exe: "/usr/bin/python3", Args: []string{"python3", "a\x1b[31mb\n" + strings.Repeat("c", 500) + ".py"}}
	if got := Name(c); got != "a[31mb"+strings.Repeat("c", maxName-6) {
		t.Errorf("name %q", got)
	}
}
