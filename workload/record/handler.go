package record

import (
	"bytes"
	"encoding/json"
	"errors"
	"net/http"
	"os"
)

// Path is where Handler is served: Path followed by the id of a record.
const Path = "/results/"

// Pattern is Path as http.ServeMux has it.
const Pattern = "GET " + Path + "{id}"

// ServeHTTP answers with the record that the request's id names, as JSON for people.
func (k *Keeper) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	line, err := k.Find(r.PathValue("id"))
	var indented bytes.Buffer
	if err == nil {
		err = json.Indent(&indented, line, "", "  ")
	}
	switch {
	case errors.Is(err, os.ErrNotExist):
		http.Error(w, "There is no such record among the latest; older ones are in the file of EXOBENCH_RESULTS.", http.StatusNotFound)
		return
	case err != nil:
		http.Error(w, "The record cannot be read.", http.StatusInternalServerError)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(indented.Bytes())
}
