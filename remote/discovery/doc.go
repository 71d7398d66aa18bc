// Package discovery finds the addresses at which nodes of a cluster may be
// joined: in a list, in DNS, in a file.
//
//	Static   "10.0.0.7:4000"               \
//	DNS      A and AAAA, with a port        |  Lookup           sorted union,
//	SRV      _topos._tcp.svc.example.org    |---------> [Discovery] -------> Found(candidates)
//	File     one a line, watched            |  Watch            if it changed
//	         any Source of yours           /
//
// The smallest program:
//
//	d, err := discovery.Start(discovery.Config{
//		Sources: []discovery.Source{discovery.DNS{Host: "topos.default.svc.cluster.local", Port: 4000}},
//		Found:   func(candidates []string) { node.Join(candidates...) },
//	})
//	defer d.Close()
//
// A candidate is "host:port" or "name@host:port". That something is a candidate
// says only that a node may be listening there: who is a member of the cluster
// is for the nodes to find out.
//
// # What is promised
//
// Each source is looked up when a Discovery starts and then every
// Config.Interval, give or take Config.Jitter. Found is called with all
// candidates of all sources, sorted and without doubles, whenever that set has
// changed, by one goroutine. A lookup counts as a whole or not at all: one that
// fails, or brings a part only, changes nothing, so that a candidate stays one
// until a lookup of its source that succeeds does not have it any more. Members
// are never touched: there is no way from here to make a node go.
//
// Not promised: that a candidate exists, answers, or belongs to the cluster; that
// a change is seen before the next poll; the order in which sources answer.
//
// # What happens when something fails
//
// A source that fails is asked again after Config.RetryMin, then after twice
// that, up to Config.RetryMax, and every Interval again once it has succeeded.
// Every failure is logged, and told by Config.Failed. A lookup that takes
// longer than Config.Timeout has failed. Sources do not wait for each other.
//
// A name that does not exist, and one without addresses, is a failure: that is
// what a headless service without a ready pod looks like, and what a broken DNS
// server looks like. So are a file that is missing, empty, or has a line that is
// no candidate: that is what a file being written looks like.
//
// # Options
//
// [DNS] and [SRV] ask the system's DNS servers or one of their own; an answer
// that is cut off is asked for again over TCP. [File] is read again when
// something happens in its folder and, since not every file system says so, at
// every Interval. Config says how often and how patiently.
package discovery
