package main

import (
	"encoding/json"
	"fmt"
	"os"
	"runtime"
	"syscall"
	"time"
)

// workers are what this program does in processes of its own, so that each has
// its own memory. They print their Sample.
var workers = map[string]func(args []string) (Sample, error){
	"floor": floorWorker,

	"dump-routes-nlapply":     nlapplyDumpRoutes,
	"dump-routes-iter":        vishvanandaIterRoutes,
	"dump-routes-vishvananda": vishvanandaDumpRoutes,
	"dump-routes-jsimonetti":  jsimonettiDumpRoutes,

	"add-routes-nlapply":     nlapplyAddRoutes,
	"add-routes-vishvananda": vishvanandaAddRoutes,
	"add-routes-jsimonetti":  jsimonettiAddRoutes,

	"create-links-nlapply":     nlapplyCreateLinks,
	"create-links-vishvananda": vishvanandaCreateLinks,
	"delete-links-nlapply":     nlapplyDeleteLinks,
	"delete-links-vishvananda": vishvanandaDeleteLinks,

	"dump-links-nlapply":     nlapplyDumpLinks,
	"dump-links-vishvananda": vishvanandaDumpLinks,
	"dump-links-jsimonetti":  jsimonettiDumpLinks,

	"read-nlapply": nlapplyRead,
	"read-json":    plainReadJSON,
	"read-yaml":    plainReadYAML,

	"encode-raw":        rawEncode,
	"encode-nlapply":    nlapplyEncode,
	"encode-jsimonetti": jsimonettiEncode,
	"decode-raw":        rawDecode,
	"decode-nlapply":    nlapplyDecode,
	"decode-jsimonetti": jsimonettiDecode,
}

// companions are what this program does in processes of its own beside a
// measurement, until their standard input ends.
var companions = map[string]func(args []string) error{
	"heal-flood":  floodWorker,
	"heal-poller": pollerWorker,
}

func runWorker(name string, args []string) int {
	if run, ok := companions[name]; ok {
		if err := run(args); err != nil {
			fmt.Fprintln(os.Stderr, name+":", err)
			return 1
		}
		return 0
	}
	work, ok := workers[name]
	if !ok {
		fmt.Fprintln(os.Stderr, "no such worker:", name)
		return 2
	}
	s, err := work(args)
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

// measure runs f some times; f returns the number of objects that it saw. What is
// run once is run cold, as in most programs; else a run before warms up.
func measure(times int, f func() (int, error)) (s Sample, err error) {
	objects := 0
	if times > 1 {
		if _, err := f(); err != nil {
			return s, err
		}
	}
	s, err = once(func() error {
		for range times {
			if objects, err = f(); err != nil {
				return err
			}
		}
		return nil
	})
	s.NS /= float64(times)
	s.CPU /= float64(times)
	*s.Mallocs /= float64(times)
	s.Objects = objects
	return s, err
}

// once measures f, without a warm-up.
func once(f func() error) (Sample, error) {
	runtime.GC()
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	cpu, began := cpuTime(), time.Now()
	err := f()
	took, worked := time.Since(began), cpuTime()-cpu
	runtime.ReadMemStats(&after)
	return Sample{NS: float64(took), CPU: float64(worked), Mallocs: new(float64(after.Mallocs - before.Mallocs))}, err
}

// cpuTime returns how long this process has computed.
func cpuTime() time.Duration {
	var u syscall.Rusage
	syscall.Getrusage(syscall.RUSAGE_SELF, &u)
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
