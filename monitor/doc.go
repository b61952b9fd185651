// Package monitor tells what happens in network namespaces: changes of links,
// addresses, routes, rules, neighbours, bridge tables, nexthops, sysctls of the
// network (netconf), and named namespaces that come and go. It is `ip monitor`
// and `bridge monitor` for several namespaces in one stream, with names instead
// of indexes.
//
//	m, err := monitor.Open(monitor.Config{AllNamespaces: true})
//	if err != nil {
//		return err
//	}
//	defer m.Close()
//	for e := range m.Events(ctx) {
//		fmt.Println(e)
//	}
//
// It changes nothing and decides nothing. What it cannot tell it does not hide:
// messages that the kernel dropped are an event of their own (Overrun), and a
// message that is not understood is one of class Unknown. What happens in a named
// namespace before its name was found is not told.
package monitor
