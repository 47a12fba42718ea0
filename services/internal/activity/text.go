package activity

import (
	"fmt"
	"strings"
)

// validText keeps invalid UTF-8, which JSON can't carry, visible as replacement characters.
func validText(text []byte) string { return strings.ToValidUTF8(string(text), "\uFFFD") }

func cutNote(bytes int) string { return fmt.Sprintf(" [%d more bytes were cut]", bytes) }
