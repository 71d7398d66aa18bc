package main

import (
	"context"
	"strings"
	"testing"
)

func TestTheClientSeesWhatIsPromised(t *testing.T) {
	ctx, cancel := context.WithTimeout(t.Context(), limit)
	defer cancel()
	var out strings.Builder
	if err := run(ctx, &out); err != nil {
		t.Fatalf("%v\n%s", err, &out)
	}
	for _, want := range []string{
		"the client gets {ID:7 Name:Ada Node:healthy}",
		"final: no such user",
		"try 4 of users on failing@", "again, not run: the database is down",
		"(hedge)", "the slow node's handler was cancelled",
		"the charge ran 1 time(s)", "again: actor: call timed out",
		"outcome unknown",
		"Every call had the outcome that is promised.",
	} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("it does not say %q:\n%s", want, &out)
		}
	}
}
