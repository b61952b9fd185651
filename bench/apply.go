package main

import "fmt"

// applyRoutes makes n routes and the link that they go through, as a process.
// There is no target; it is what the re-apply below compares with.
func applyRoutes(n int) Workload {
	return apply(fmt.Sprintf("apply %d routes, whole process", n), routeBed(n), 3, nil, false)
}

// reapplyRoutes applies n routes that are there already (target 8).
func reapplyRoutes(n int) Workload {
	return reapply(fmt.Sprintf("re-apply %d routes, whole process", n), routeBed(n), 5,
		[]Target{faster(3, batchAgain), noWrites()}, false)
}

// applySystem makes n veth pairs and n VXLANs with two addresses each, and 20
// routes for each pair (target 9).
func applySystem(n int) Workload {
	return apply("apply "+systemName(n), systemBed(n), 5, []Target{atMostOf(1.1, "ip -batch")}, true)
}

// reapplySystem applies the same again (target 9).
func reapplySystem(n int) Workload {
	return reapply("re-apply "+systemName(n), systemBed(n), 7, []Target{atMostOf(1, batchAgain), noWrites()}, true)
}

func systemName(n int) string {
	return fmt.Sprintf("%d veth pairs, %d vxlan, %d addresses, %d routes, whole process", n, n, 4*n, 20*n)
}

func apply(name string, d *bed, rounds int, targets []Target, yaml bool) Workload {
	w := Workload{
		Name: name, Rounds: rounds, Stage: fresh,
		Check: func(s *Stage) error { return s.expect(d.count(), d.routes) },
		Variants: []Variant{
			{Name: "floor, 200 a datagram", Run: func(s *Stage) (Sample, error) {
				file, err := s.allMessages(d)
				if err != nil {
					return Sample{}, err
				}
				return s.floor("send", file, 200)
			}},
			{Name: "nlapply -f, JSON", Run: applyJSON(d), Targets: targets},
			{Name: "ip -batch", Run: runBatch(d)},
		},
	}
	if yaml {
		w.Variants = append(w.Variants, Variant{Name: "nlapply -f, YAML", Run: applyYAML(d), Targets: targets})
	}
	return w
}

// batchAgain is the variant that sends all again.
const batchAgain = "ip -batch with replace"

func reapply(name string, d *bed, rounds int, targets []Target, yaml bool) Workload {
	w := Workload{
		Name: name, Rounds: rounds, Stage: own,
		Setup: func(s *Stage) error {
			_, err := applyJSON(d)(s)
			return err
		},
		Check: func(s *Stage) error { return s.expect(d.count(), d.routes) },
		Variants: []Variant{
			{Name: "floor, dump of links, addresses and routes", Run: func(s *Stage) (Sample, error) {
				file, err := s.dumpMessages("links", "addresses", "routes")
				if err != nil {
					return Sample{}, err
				}
				return s.floor("dump", file, 1)
			}},
			{Name: "nlapply -f, JSON", Run: applyJSON(d), Targets: targets, Prove: func(s *Stage) (Sample, error) {
				file, err := s.json(d)
				if err != nil {
					return Sample{}, err
				}
				return s.writes(s.nlapply(), "-q", "-f", file)
			}},
			{Name: batchAgain, Run: func(s *Stage) (Sample, error) {
				file, err := s.replaceBatch(d)
				if err != nil {
					return Sample{}, err
				}
				return s.process("ip", "-batch", file)
			}},
		},
	}
	if yaml {
		w.Variants = append(w.Variants, Variant{Name: "nlapply -f, YAML", Run: applyYAML(d), Targets: targets[:1]})
	}
	return w
}
