"""From the first visit to the dashboard, and in again."""


def test_the_whole_way_in(visitor):
    assert visitor.get("/").location == "/login?next=/"
    signed_up = visitor.signs_up()
    assert (signed_up.status_code, signed_up.location) == (303, "/setup")
    gate = visitor.get("/setup").text
    assert "<nav" not in gate and "<svg viewBox" in gate and "Two-factor authentication is required" in gate

    answer = visitor.enrols()
    assert answer.status_code == 200
    assert len(set(visitor.codes)) == 10

    left = visitor.post("/setup/codes/dismiss")
    assert (left.status_code, left.location) == (303, "/dashboard")
    assert "<nav" in visitor.get("/dashboard").text

    visitor.signs_out()
    assert visitor.get("/dashboard").location == "/login?next=/dashboard"
    assert visitor.proves_password().location == "/login/code"
    assert visitor.post("/login/code", code=visitor.code()).location == "/dashboard"
    assert visitor.is_in()

    visitor.signs_out()
    visitor.proves_password()
    assert visitor.post("/login/code", code=visitor.codes[0]).location == "/dashboard"
    assert visitor.is_in()
