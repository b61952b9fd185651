package kind_test

import (
	"encoding/json"
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/nlapply/nlapply/netlink/route/kind"
)

// TestListed fails when a type is a kind but stands in no list.
func TestListed(t *testing.T) {
	files, err := filepath.Glob("*.go")
	if err != nil || len(files) == 0 {
		t.Skip("the sources are not here")
	}
	listed := map[string]bool{}
	var decls []ast.Decl
	for _, name := range files {
		f, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		decls = append(decls, f.Decls...)
		ast.Inspect(f, func(n ast.Node) bool {
			listed[madeBy(n)] = listed[madeBy(n)] || name == "kind.go" // where the lists are
			return true
		})
	}
	for _, d := range decls {
		if name := kindOf(d); name != "" && !listed[name] {
			t.Errorf("%s has the method Name, but is neither in All nor in Ports", name)
		}
	}
}

// madeBy returns the type of a call new(Type).
func madeBy(n ast.Node) string {
	call, ok := n.(*ast.CallExpr)
	if !ok || len(call.Args) != 1 {
		return ""
	}
	fn, ok := call.Fun.(*ast.Ident)
	arg, isName := call.Args[0].(*ast.Ident)
	if !ok || !isName || fn.Name != "new" {
		return ""
	}
	return arg.Name
}

// kindOf returns the receiver's type of a method Name.
func kindOf(d ast.Decl) string {
	fn, ok := d.(*ast.FuncDecl)
	if !ok || fn.Recv == nil || fn.Name.Name != "Name" {
		return ""
	}
	if star, ok := fn.Recv.List[0].Type.(*ast.StarExpr); ok {
		return star.X.(*ast.Ident).Name
	}
	return ""
}

func TestLookup(t *testing.T) {
	if k, ok := kind.New("vxlan"); !ok || k.Name() != "vxlan" {
		t.Errorf("New(vxlan) = %v, %v", k, ok)
	}
	if k, ok := kind.NewPort("bridge"); !ok || k.Name() != "bridge" {
		t.Errorf("NewPort(bridge) = %v, %v", k, ok)
	}
	if _, ok := kind.New("bridge_slave"); ok {
		t.Error("New(bridge_slave) is a kind")
	}
	if _, ok := kind.NewPort("vxlan"); ok {
		t.Error("NewPort(vxlan) is a kind")
	}
	if !slices.IsSortedFunc(kind.All, func(a, b func() kind.Kind) int {
		return strings.Compare(a().Name(), b().Name())
	}) {
		t.Error("All is not sorted by name")
	}
}

func TestRowsAreComplete(t *testing.T) {
	for _, r := range everyKind() {
		names := map[string]bool{}
		fields := r.new().Fields()
		for i := range fields {
			f := &fields[i]
			if names[f.Name] {
				t.Errorf("%s.%s stands there twice", r.name, f.Name)
			}
			names[f.Name] = true
			if f.Text == "" || !strings.HasSuffix(f.Text, ".") {
				t.Errorf("%s.%s: no sentence says what it does", r.name, f.Name)
			}
			if f.Value.IsSet() {
				t.Errorf("%s.%s is set in an empty struct", r.name, f.Name)
			}
			if f.Default == nil {
				continue
			}
			fields := r.new().Fields()
			f = &fields[i]
			if err := f.Value.Set(f.Default); err != nil || !f.IsDefault() {
				t.Errorf("%s.%s: default %v: %v, reads back as %v", r.name, f.Name, f.Default, err, f.Value.Get())
			}
		}
	}
}

func TestSchemaIsJSON(t *testing.T) {
	for _, r := range everyKind() {
		fields := r.new().Fields()
		for i := range fields {
			b, err := json.Marshal(fields[i].Schema())
			if err != nil || !strings.Contains(string(b), `"description"`) {
				t.Errorf("%s.%s: %s, %v", r.name, fields[i].Name, b, err)
			}
		}
	}
}
