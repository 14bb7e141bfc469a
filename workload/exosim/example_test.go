package exosim_test

import (
	"fmt"
	"io"
	"net/http"

	"exo-bench-exporter/workload/exosim"
)

// A simulated node answers like exo, says that it is none, and fails when it is told to.
func ExampleNode() {
	node := exosim.New(exosim.Options{Speed: 100})
	defer node.Close()
	client := &http.Client{Transport: node.Transport()}
	defer client.CloseIdleConnections()

	answer, err := client.Get("http://exo.test/v1/models")
	if err != nil {
		panic(err)
	}
	_ = answer.Body.Close()
	fmt.Println(answer.StatusCode, answer.Header.Get("X-Exo-Sim") != "")

	if _, err := node.Inject(exosim.Fault{Kind: exosim.HTTPError, Path: "/v1/models", Status: 503, Message: "Simulated"}); err != nil {
		panic(err)
	}
	if answer, err = client.Get("http://exo.test/v1/models"); err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	text, _ := io.ReadAll(answer.Body)
	fmt.Println(answer.StatusCode, string(text))
	// Output:
	// 200 true
	// 503 {"error":{"message":"Simulated","type":"Service Unavailable","param":null,"code":503}}
}
