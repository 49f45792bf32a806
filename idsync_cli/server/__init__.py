"""The HTTP API: what is built on mParticle talks to a store on this machine (section 10).

`app` has the routes. A request's credentials are judged (`credentials`, `signature`), its body is
read (`bodies`) and made into a request of section 8 or 9, the engine's service answers it, and the
answer is put into the form that the SDKs read (`answers`). `run` starts and stops the server.
"""
