package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"sigs.k8s.io/yaml"

	"github.com/nlapply/nlapply/reconcile"
	"github.com/nlapply/nlapply/spec"
)

// readJSON reads a document of n routes (target 7).
func readJSON(n int) Workload {
	const alone = "encoding/json alone"
	return read(fmt.Sprintf("read %d routes, JSON", n), alone, "read-json", 1.5,
		func(s *Stage) (string, error) { return s.json(routeBed(n)) })
}

// readYAML is readJSON with YAML.
func readYAML(n int) Workload {
	const alone = "sigs.k8s.io/yaml alone"
	return read(fmt.Sprintf("read %d routes, YAML", n), alone, "read-yaml", 1.15,
		func(s *Stage) (string, error) { return s.yaml(routeBed(n)) })
}

func read(name, alone, worker string, limit float64, file func(*Stage) (string, error)) Workload {
	work := func(name string) func(*Stage) (Sample, error) {
		return func(s *Stage) (Sample, error) {
			path, err := file(s)
			if err != nil {
				return Sample{}, err
			}
			return s.worker(name, path)
		}
	}
	return Workload{
		Name: name, Rounds: 5,
		Variants: []Variant{
			{Name: alone, Run: work(worker)},
			{Name: "nlapply spec.Load", Run: work("read-nlapply"), Targets: []Target{atMost(limit)}},
		},
	}
}

// plainDocument is what a program without checks of its own reads the routes to.
type plainDocument struct {
	Version int                  `json:"version"`
	Links   map[string]plainLink `json:"links"`
	Routes  []plainRoute         `json:"routes"`
}

type plainLink struct {
	Kind      string            `json:"kind"`
	Peer      map[string]string `json:"peer"`
	Addresses []string          `json:"addresses"`
}

type plainRoute struct {
	To  string `json:"to"`
	Via string `json:"via"`
	Dev string `json:"dev"`
}

// readFile measures f once, in a process that has read nothing before.
func readFile(args []string, f func(path string) (routes int, err error)) (Sample, error) {
	if len(args) != 1 {
		return Sample{}, errors.New("which file?")
	}
	routes := 0
	s, err := once(func() (err error) {
		routes, err = f(args[0])
		return err
	})
	s.Objects = routes
	return s, err
}

func nlapplyRead(args []string) (Sample, error) {
	return readFile(args, func(path string) (int, error) {
		doc, err := spec.Load([]string{path}, nil, reconcile.Vocabulary{})
		if err != nil {
			return 0, err
		}
		return len(doc.Routes), nil
	})
}

func plainReadJSON(args []string) (Sample, error) {
	return readFile(args, func(path string) (int, error) {
		text, err := os.ReadFile(path)
		if err != nil {
			return 0, err
		}
		var doc plainDocument
		d := json.NewDecoder(bytes.NewReader(text))
		d.DisallowUnknownFields()
		err = d.Decode(&doc)
		return len(doc.Routes), err
	})
}

func plainReadYAML(args []string) (Sample, error) {
	return readFile(args, func(path string) (int, error) {
		text, err := os.ReadFile(path)
		if err != nil {
			return 0, err
		}
		var doc plainDocument
		err = yaml.UnmarshalStrict(text, &doc)
		return len(doc.Routes), err
	})
}
