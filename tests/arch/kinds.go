package arch

import (
	"go/ast"
	"go/token"
	"io/fs"
	"slices"
)

// kindDir is the package whose lists have to be complete.
const kindDir = "netlink/route/kind"

// Kinds checks that every type that looks like a kind of link or port, by its
// methods Name and Fields, is in one of the lists kind.All and kind.Ports:
// what is not listed is neither parsed, compared, dumped, documented nor tested.
func Kinds(tree fs.FS) (wrong []string, err error) {
	list, err := sources(tree, kindDir, 0)
	if err != nil {
		return nil, err
	}
	methods := map[string][]string{} // type → its methods, and those of what it embeds
	embeds := map[string][]string{}
	listed := map[string]bool{}
	for _, s := range list {
		for _, d := range s.file.Decls {
			switch d := d.(type) {
			case *ast.FuncDecl:
				if t := receiver(d); t != "" {
					methods[t] = append(methods[t], d.Name.Name)
				}
			case *ast.GenDecl:
				collect(d, embeds, listed)
			}
		}
	}
	for t := range methods {
		if ast.IsExported(t) && has(t, "Name", methods, embeds) && has(t, "Fields", methods, embeds) && !listed[t] {
			wrong = append(wrong, kindDir+": "+t+" is in neither All nor Ports")
		}
	}
	if len(listed) == 0 {
		wrong = append(wrong, kindDir+": All and Ports list nothing")
	}
	slices.Sort(wrong)
	return wrong, nil
}

// receiver returns the name of a method's type.
func receiver(d *ast.FuncDecl) string {
	if d.Recv == nil {
		return ""
	}
	t := d.Recv.List[0].Type
	if star, ok := t.(*ast.StarExpr); ok {
		t = star.X
	}
	id, _ := t.(*ast.Ident)
	if id == nil {
		return ""
	}
	return id.Name
}

// collect notes which types a struct embeds, and which are constructed in the
// values of All and Ports.
func collect(d *ast.GenDecl, embeds map[string][]string, listed map[string]bool) {
	for _, spec := range d.Specs {
		switch spec := spec.(type) {
		case *ast.TypeSpec:
			s, ok := spec.Type.(*ast.StructType)
			if !ok {
				continue
			}
			for _, f := range s.Fields.List {
				if id, ok := f.Type.(*ast.Ident); ok && len(f.Names) == 0 {
					embeds[spec.Name.Name] = append(embeds[spec.Name.Name], id.Name)
				}
			}
		case *ast.ValueSpec:
			if n := spec.Names[0].Name; d.Tok == token.VAR && (n == "All" || n == "Ports") {
				for _, v := range spec.Values {
					constructed(v, listed)
				}
			}
		}
	}
}

// constructed notes T of every new(T) and T{} in an expression.
func constructed(e ast.Expr, listed map[string]bool) {
	ast.Inspect(e, func(n ast.Node) bool {
		switch n := n.(type) {
		case *ast.CallExpr:
			if f, ok := n.Fun.(*ast.Ident); ok && f.Name == "new" && len(n.Args) == 1 {
				if t, ok := n.Args[0].(*ast.Ident); ok {
					listed[t.Name] = true
				}
			}
		case *ast.CompositeLit:
			if t, ok := n.Type.(*ast.Ident); ok {
				listed[t.Name] = true
			}
		}
		return true
	})
}

// has reports whether a type has a method, its own or one of what it embeds.
func has(t, method string, methods, embeds map[string][]string) bool {
	if slices.Contains(methods[t], method) {
		return true
	}
	return slices.ContainsFunc(embeds[t], func(e string) bool { return has(e, method, methods, embeds) })
}
