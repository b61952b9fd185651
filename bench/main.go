// Command bench measures nlapply, a raw floor, `ip -batch` and other Go libraries
// side by side and prints one Markdown table.
//
//	go run . [-run REGEXP] [-rounds N] [-size small|full] [-damages N] [-idle DURATION] [-audit N]
//
// Read the ratios, not the seconds: the variants of a workload take turns, and
// what is printed is the median of the ratios of each round. Every workload has
// network namespaces of its own; root is not needed where user namespaces are
// allowed. It is a module of its own, so that what nlapply is compared with is no
// dependency of nlapply.
package main

import (
	"flag"
	"fmt"
	"os"
	"regexp"
	"time"
)

func main() {
	if len(os.Args) > 2 && os.Args[1] == "worker" {
		os.Exit(runWorker(os.Args[2], os.Args[3:]))
	}
	if err := run(); err != nil {
		fmt.Fprintln(os.Stderr, "bench:", err)
		os.Exit(1)
	}
}

func run() error {
	pattern := flag.String("run", "", "only workloads whose name matches `REGEXP`")
	rounds := flag.Int("rounds", 0, "rounds of every workload; 0: as many as suit it, 3 to 7")
	size := flag.String("size", "full", "small: a look in a minute; full: the sizes of the targets")
	damages := flag.Int("damages", 300, "how often heal damages objects of each kind")
	idle := flag.Duration("idle", time.Minute, "how long heal looks at an idle watcher")
	auditRules := flag.Int("audit", 0, "only list `N` audit rules, which are added to this machine's audit system and deleted again, as root")
	flag.Parse()
	re, err := regexp.Compile(*pattern)
	if err != nil {
		return err
	}
	if flag.NArg() > 0 || *size != "small" && *size != "full" {
		flag.Usage()
		os.Exit(2)
	}
	dir := os.Getenv(dirVar)
	if dir == "" {
		return enter()
	}
	rise()
	b, err := newBench(dir)
	if err != nil {
		return err
	}
	defer b.close()
	printConditions(os.Stdout, b)
	if *auditRules > 0 {
		return b.audit(*auditRules, *rounds)
	}
	headed := false
	for _, w := range workloads(*size == "small") {
		if !re.MatchString(w.Name) {
			continue
		}
		if !headed {
			printHead(os.Stdout)
			headed = true
		}
		r, err := b.run(w, *rounds)
		if err != nil {
			return fmt.Errorf("%s: %w", w.Name, err)
		}
		r.print(os.Stdout)
	}
	if !re.MatchString("heal") {
		return nil
	}
	return (&healTest{Bench: b, w: os.Stdout, damages: *damages, idle: *idle, small: *size == "small"}).run()
}

// workloads are all workloads, in the order of the targets of nlapply.
func workloads(small bool) []Workload {
	size := func(few, many int) int {
		if small {
			return few
		}
		return many
	}
	all := []Workload{dumpRoutes(size(10_000, 100_000))}
	if !small {
		all = append(all, dumpRoutes(1_000_000))
	}
	all = append(all, addRoutes(size(10_000, 100_000)))
	if !small {
		all = append(all, addRoutes(1_000_000))
	}
	return append(all,
		createLinks("vxlan", size(100, 1000)),
		createLinks("veth", size(100, 1000)),
		deleteLinks(size(20, 100)),
		dumpLinks(size(1000, 8000)),
		readJSON(size(10_000, 100_000)),
		readYAML(size(10_000, 100_000)),
		applyRoutes(size(10_000, 100_000)),
		reapplyRoutes(size(10_000, 100_000)),
		applySystem(size(10, 100)),
		reapplySystem(size(10, 100)),
		encodeRoute(),
		decodeRoute(),
	)
}
