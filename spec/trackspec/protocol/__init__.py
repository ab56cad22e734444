"""The REST protocol: how calls of the interface travel over HTTP.

One table of endpoints (:mod:`trackspec.protocol.endpoints`); a server routes from it, a client calls by it, and
the OpenAPI document is generated from it.
"""
