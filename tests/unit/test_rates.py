"""A tenant's requests of a minute: how many are left, who is told, and when it begins anew."""

from api.http.rates import RequestRates


class Clock:
    now = 100.0

    def __call__(self):
        return self.now


def test_each_request_tells_what_is_left_until_none_is():
    clock = Clock()
    rates = RequestRates(2, clock=clock)
    told = [rates.count(7) for _ in range(3)]
    assert [(share.remaining, share.is_exceeded) for share in told] == [(1, False), (0, False), (0, True)]
    assert told[0].headers == {"RateLimit-Policy": '"tenant";q=2;w=60', "RateLimit": '"tenant";r=1;t=60'}
    clock.now += 42.5
    assert rates.count(7).reset == 18
    assert rates.count(8).remaining == 1
    clock.now += 17.5
    assert (rates.count(7).remaining, rates.count(7).reset) == (1, 60)


def test_without_a_limit_nothing_is_counted():
    assert RequestRates(0).count(7) is None
