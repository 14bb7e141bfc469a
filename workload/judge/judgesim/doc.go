// Package judgesim measures how well a Judge decides, on turns that are made: how soon and how
// surely it finds what is there, and how often it finds what is not. Seeds make every figure repeat.
package judgesim
