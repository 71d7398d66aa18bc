//go:build !linux

package main

// preferLargePages does nothing here.
func preferLargePages(uint64) bool { return false }
