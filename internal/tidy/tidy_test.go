package tidy_test

import (
	"testing"

	"github.com/topos-go/topos/internal/tidy"
)

func TestRepositoryKeepsItsRules(t *testing.T) {
	tree, err := tidy.Load("../..")
	if tree == nil {
		t.Fatal(err)
	}
	if err != nil {
		t.Error(err) // what does parse is looked at all the same
	}
	for _, rule := range tidy.Rules() {
		t.Run(rule.Name, func(t *testing.T) {
			for _, finding := range rule.Check(tree) {
				t.Errorf("%s", finding)
			}
			if t.Failed() {
				t.Logf("the rule: %s", rule.Says)
			}
		})
	}
}
