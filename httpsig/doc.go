/*
# What is signed

API Gateway does not hand a request over as it was sent: an HTTP API decodes
the path, a REST API decodes the query and makes a map of it. So @path and
@query are compared in a canonical form that both ends can compute:

  - @path: each segment is percent-decoded once, then every byte but
    A-Z a-z 0-9 - . _ ~ is written as %XX, in upper case. The path is the one
    the client sends, with the stage or base path; but see below for an API
    mapping.
  - @query: "?", then the parameters joined with "&", each name=value. Names
    and values are decoded as HTML forms are ("+" is a blank), then encoded like
    path segments. A parameter without "=" is written "name=". Empty parts
    ("a=1&&b=2") are left out. Without parameters it is "?" alone.
  - @query-param (RFC 9421 section 2.2.8): the same decoding; its value is
    encoded with the form set of the URL standard and %20 for a blank.

The order of parameters is the order sent. A REST API (and an HTTP API with
payload 1.0) loses it: there the names are sorted by the bytes of the decoded
name, and the values of one name stay in their order. So:

A signer that wants to be understood everywhere sends the path and the query in
canonical form, sorted by name, and signs exactly what it sends. That is an
exact RFC 9421 request. [Signer] and [Transport] do this. A client that cannot
sort covers each parameter with @query-param instead, which needs no order.

Refused, because two readers may take it in two ways: a path with an encoded
slash or backslash, with a "." or ".." segment, with an empty segment before the
last one; an invalid percent escape; invalid UTF-8; a parameter without a name;
a raw ";" in a query. What else cannot be signed for a certain kind of API: an
encoded "?" in a path (an HTTP API cuts it there), and a parameter that occurs
twice in an event without multi-value maps.

Behind an API mapping of an HTTP API, payload 2.0, the path to sign is the one
that the API sees: without the mapping's key. A request to
https://api.example.com/http/items, with http for key, has the @path /items, or
/prod/items where the stage is not $default but prod. A signer for such an API
signs without the key and sends with it. AWS documents, of the events of
integrations, that rawPath does not give the key and that payload 1.0's path does
(docs.aws.amazon.com/apigateway/latest/developerguide/http-api-develop-integrations-lambda.html).
An authorizer's events behind a mapping have not been tried.

Header fields are taken as RFC 9421 section 2.1 says. API Gateway joins repeated
fields its own way and changes some (Host, Via, X-Forwarded-*, User-Agent with
some endpoints): cover only fields that are sent once and reach the function
unchanged.

A signature stands for one request: created is at most max_age old and at most
30 s ahead, and with replay: deny its nonce is used once. For every method but
GET, HEAD and OPTIONS content-digest must be covered. This package verifies that
the declared digest was signed; whoever has the body compares the two.
*/
package httpsig
