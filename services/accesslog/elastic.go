package accesslog

// yes is for the options of requests to Elasticsearch.
var yes = true
