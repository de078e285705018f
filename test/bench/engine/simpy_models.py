"""The engine's bench models in SimPy. usage: simpy_models.py hold|lock OPERATIONS DELAYS_FILE"""

import array
import sys
import time

import simpy

model, operations, delays_file = sys.argv[1], int(sys.argv[2]), sys.argv[3]
delays = array.array("d", open(delays_file, "rb").read())
drawn = 0
done = 0


def draw():
    global drawn
    drawn += 1
    return delays[(drawn - 1) & 65535]


def holder(env, stop):
    global done
    while True:
        yield env.timeout(draw())
        done += 1
        if done == operations:
            stop.succeed()


def client(env, lock, stop):
    global done
    while True:
        yield env.timeout(draw())
        with lock.request() as request:
            yield request
            yield env.timeout(100)
        done += 1
        if done == operations:
            stop.succeed()


env = simpy.Environment()
stop = env.event()
if model == "hold":
    for _ in range(10000):
        env.process(holder(env, stop))
else:
    lock = simpy.Resource(env)
    for _ in range(200):
        env.process(client(env, lock, stop))
began = time.perf_counter()
env.run(until=stop)
print(done, time.perf_counter() - began, env.now)
