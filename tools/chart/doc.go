// Package chart tests deploy/helm/sallyport: it renders the chart with Helm's own library for the cases in testdata, and
// looks at what comes out without a cluster. It is a module of its own, so that nothing else waits for Helm's libraries.
package chart
