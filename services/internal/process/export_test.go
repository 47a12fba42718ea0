package process

// AskReady is what --ready does.
var AskReady = askReady
