module nephoscope/testkit/jaeger

go 1.25.0

// Jaeger v2.13.0: version 2 is tagged in the numbers of version 1.
require github.com/jaegertracing/jaeger v1.76.0

// Jaeger replaces its own with a fork of another path, which only a main module may do; it builds with either.
replace github.com/Shopify/sarama => github.com/Shopify/sarama v1.33.0
