package main

import (
	"fmt"
	"io"
	"math"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// printConditions says what was measured with what.
func printConditions(w io.Writer, b *Bench) {
	var u unix.Utsname
	unix.Uname(&u)
	fmt.Fprintf(w, "%s, Linux %s, %d CPUs, %s; floor: %s", time.Now().Format(time.DateOnly),
		unix.ByteSliceToString(u.Release[:]), runtime.NumCPU(), runtime.Version(), b.floorName())
	if out, err := exec.Command("ip", "-V").Output(); err == nil {
		fmt.Fprintf(w, "; %s", strings.TrimPrefix(strings.TrimSpace(string(out)), "ip utility, "))
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			switch m.Path {
			case "github.com/vishvananda/netlink", "github.com/jsimonetti/rtnetlink/v2", "sigs.k8s.io/yaml":
				fmt.Fprintf(w, "; %s %s", m.Path, m.Version)
			}
		}
	}
	fmt.Fprint(w, ".\n\n")
}

// printHead begins the table, in Markdown.
func printHead(w io.Writer) {
	fmt.Fprintln(w, "| workload | variant | median | × floor | CPU | allocs per object | peak RSS MB | target | met? |")
	fmt.Fprintln(w, "|---|---|---|---|---|---|---|---|---|")
}

// print prints a workload's rows of the table.
func (r *Result) print(w io.Writer) {
	name := r.Name
	for v := range r.Variants {
		fmt.Fprintf(w, "| %s | %s |\n", name, strings.Join(r.row(v), " | "))
		name = ""
	}
}

func (r *Result) row(v int) []string {
	row := []string{r.Variants[v].Name, "–", "", "", "", "", "", ""}
	if r.Errs[v] != nil || len(r.Samples[v]) == 0 {
		return row
	}
	row[1] = duration(r.time(v))
	row[2] = significant(r.ratio(v, 0), 3)
	row[3] = duration(r.cpu(v))
	row[4] = number(r.allocs(v))
	row[5] = r.rss(v)
	var texts, verdicts []string
	for _, t := range r.Variants[v].Targets {
		measured, m := t.Met(r, v)
		texts = append(texts, t.Text)
		verdicts = append(verdicts, fmt.Sprintf("%s (%s)", m, measured))
	}
	row[6], row[7] = strings.Join(texts, "; "), strings.Join(verdicts, "; ")
	return row
}

// rss returns the largest peak. A process starts with the peak of the one that
// made it (fs/exec.c, setmax_mm_hiwater_rss), so less cannot be seen.
func (r *Result) rss(v int) string {
	var peak int64
	for _, s := range r.Samples[v] {
		peak = max(peak, s.RSS)
	}
	switch mine := ownPeak(); {
	case peak == 0:
		return ""
	case peak <= mine:
		return fmt.Sprintf("< %d", mine>>20+1)
	}
	return fmt.Sprint((peak + 1<<19) >> 20)
}

// number prints a count per object.
func number(x float64) string {
	switch {
	case math.IsNaN(x):
		return ""
	case x < 0.01:
		return "0"
	}
	return significant(x, 3)
}

func duration(ns float64) string {
	switch {
	case math.IsNaN(ns):
		return ""
	case ns < 1e3:
		return significant(ns, 3) + " ns"
	case ns < 1e6:
		return significant(ns/1e3, 3) + " µs"
	case ns < 1e9:
		return significant(ns/1e6, 3) + " ms"
	}
	return significant(ns/1e9, 3) + " s"
}

// significant prints x with so many digits, or all of its integral part.
func significant(x float64, digits int) string {
	if math.IsNaN(x) {
		return ""
	}
	decimals := digits
	for y := math.Abs(x); y >= 1 && decimals > 0; y /= 10 {
		decimals--
	}
	if math.Abs(x) < 1 {
		decimals = digits - 1
	}
	return fmt.Sprintf("%.*f", decimals, x)
}
