// Command nothing is a binary to pack.
package main

func main() {}
