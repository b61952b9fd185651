package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"

	"github.com/nlapply/nlapply/tests/vm"
)

// build is what all kernels run: static test binaries, made once.
type build struct {
	dir, root        string // where the binaries are; the module
	guest, test2json string
	tests            []vm.Test
	broken           []error // packages whose tests do not build
}

func buildTests(ctx context.Context, dir string, patterns []string) (*build, error) {
	b := &build{dir: dir, guest: filepath.Join(dir, "guest"), test2json: filepath.Join(dir, "test2json")}
	out, err := goTool(ctx, "list", "-m", "-f", "{{.Dir}}")
	if err != nil {
		return nil, err
	}
	b.root = strings.TrimSpace(string(out))
	if _, err := goTool(ctx, "build", "-o", b.guest, "-ldflags=-s -w", "./tests/vm/guest"); err != nil {
		return nil, err
	}
	if _, err := goTool(ctx, "build", "-o", b.test2json, "-ldflags=-s -w", "cmd/test2json"); err != nil {
		return nil, err
	}
	packages, err := listPackages(ctx, patterns)
	if err != nil {
		return nil, err
	}
	for _, p := range packages {
		if len(p.TestGoFiles)+len(p.XTestGoFiles) == 0 {
			continue
		}
		t := vm.Test{Package: p.ImportPath, Binary: filepath.Join(dir, strings.ReplaceAll(p.ImportPath, "/", "_")+".test")}
		if t.Dir, err = filepath.Rel(b.root, p.Dir); err != nil {
			return nil, err
		}
		if _, err := goTool(ctx, "test", "-c", "-vet=off", "-ldflags=-s -w", "-o", t.Binary, p.ImportPath); err != nil {
			b.broken = append(b.broken, err)
			continue
		}
		b.tests = append(b.tests, t)
	}
	// The scenarios take longest: they start first where packages run side by side.
	slices.SortStableFunc(b.tests, func(a, c vm.Test) int { return weight(c) - weight(a) })
	return b, ctx.Err()
}

func weight(t vm.Test) int {
	switch {
	case t.Dir == "netlink/audit":
		return 2 // it has to wait for the audit system before tests/audit locks that at its end
	case strings.HasPrefix(t.Dir, "tests/"):
		return 1
	}
	return 0
}

type goPackage struct {
	ImportPath, Dir           string
	TestGoFiles, XTestGoFiles []string
}

func listPackages(ctx context.Context, patterns []string) (list []goPackage, err error) {
	out, err := goTool(ctx, append([]string{"list", "-json=ImportPath,Dir,TestGoFiles,XTestGoFiles"}, patterns...)...)
	if err != nil {
		return nil, err
	}
	in := json.NewDecoder(bytes.NewReader(out))
	for {
		var p goPackage
		err := in.Decode(&p)
		if errors.Is(err, io.EOF) {
			return list, nil
		}
		if err != nil {
			return nil, err
		}
		list = append(list, p)
	}
}

// goTool runs the go command; what it builds runs on any Linux.
func goTool(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	var stderr bytes.Buffer
	cmd.Stderr = &stderr
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("go %s: %w\n%s", strings.Join(args, " "), err, stderr.Bytes())
	}
	return out, nil
}
