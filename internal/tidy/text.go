package tidy

import (
	"regexp"
	"strings"
)

var (
	// marker is what people leave where work is left. It counts in comments
	// and in all text that is not Go.
	marker = regexp.MustCompile(`\b(TOD[O]|FIXM[E]|XX[X])\b`)

	// silencer turns a linter off.
	silencer = regexp.MustCompile(`^//\s*nolin[t]\b`)

	// machinePath is where something lies on one machine only.
	machinePath = regexp.MustCompile("(?:^|[\\s\"'`(=:,<\\[])(/(?:work|root)/|/tmp/topos\\b|/(?:home|Users)/[a-z])")

	// registryHost is where packages come from; their clients know it.
	registryHost = regexp.MustCompile(`\b(?:proxy|sum)\.golang\.org\b|\bregistry\.npmjs\.org\b|\bdeb\.debian\.org\b`)
)

// ownData holds the transcripts of these rules, which break them on purpose.
const ownData = "internal/tidy/testdata/"

func checkMarkers(t *Tree, r *report) {
	for _, f := range t.Files {
		switch {
		case f.Generated || strings.HasPrefix(f.Path, ownData):
		case f.Go == nil:
			for i, line := range f.Lines() {
				if found := marker.FindString(line); found != "" {
					r.line(f.Path, i+1, "%s: do it, or say in the documents that it is open", found)
				}
			}
		default:
			for _, group := range f.Go.Comments {
				for _, comment := range group.List {
					if found := marker.FindString(comment.Text); found != "" {
						r.at(comment.Pos(), "%s: do it, or say in the documents that it is open", found)
					}
					if silencer.MatchString(comment.Text) {
						r.at(comment.Pos(), "a linter is silenced: do what it says")
					}
				}
			}
		}
	}
}

func checkPlaces(t *Tree, r *report) {
	for _, f := range t.Files {
		if strings.HasPrefix(f.Path, ownData) {
			continue
		}
		for i, line := range f.Lines() {
			if found := machinePath.FindStringSubmatch(line); found != nil {
				r.line(f.Path, i+1, "%s is a place on one machine", found[1])
			}
			if found := registryHost.FindString(line); found != "" {
				r.line(f.Path, i+1, "%s is a package registry's host", found)
			}
		}
	}
}
