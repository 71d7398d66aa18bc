package crdtactor_test

import (
	"os"
	"testing"

	"go.uber.org/goleak"
)

// TestMain lets the test binary serve as a program that is killed.
func TestMain(m *testing.M) {
	if path := os.Getenv(victimEnv); path != "" {
		if err := victim(path); err != nil {
			panic(err)
		}
		return
	}
	goleak.VerifyTestMain(m)
}
