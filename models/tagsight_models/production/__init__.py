"""The job `production`: what limits throughput, yield or energy, which station or limit is the bottleneck, and which
set-point moves inside given bounds would gain how much. Advice only; nothing here is ever written to the plant.
"""
