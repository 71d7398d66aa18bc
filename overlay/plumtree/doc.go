// Package plumtree is a stub.
package plumtree
