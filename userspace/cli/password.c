/* SPDX-License-Identifier: GPL-2.0-only */
#include "userspace/cli/password.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

static int complain(const char *what)
{
	fprintf(stderr, "tandem: %s\n", what);
	return -EINVAL;
}

/* By read(), octet by octet: stdio would keep a copy in its buffer. */
static int read_line(char buf[TANDEM_PASSWORD_SIZE])
{
	size_t n = 0;
	ssize_t got;

	while (n < TANDEM_PASSWORD_SIZE) {
		got = read(STDIN_FILENO, buf + n, 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return complain(strerror(errno));
		if (!got || buf[n] == '\n')
			break;
		n++;
	}
	if (n && n < TANDEM_PASSWORD_SIZE && buf[n - 1] == '\r')
		n--;
	if (n >= TANDEM_PASSWORD_SIZE - 1)
		return complain("the password is longer than 128 octets");
	buf[n] = '\0';
	if (!n)
		return complain("the password is empty");
	for (size_t i = 0; i < n; i++) {
		if ((unsigned char)buf[i] < ' ' || buf[i] == 0x7f)
			return complain("the password has control characters");
	}
	return 0;
}

static int ask(const char *prompt, char buf[TANDEM_PASSWORD_SIZE])
{
	int ret;

	fputs(prompt, stderr);
	ret = read_line(buf);
	fputc('\n', stderr);
	return ret;
}

static int ask_twice(char buf[TANDEM_PASSWORD_SIZE])
{
	char again[TANDEM_PASSWORD_SIZE] = "";
	int ret = ask("Password: ", buf);

	if (!ret)
		ret = ask("Once more: ", again);
	if (!ret && strcmp(buf, again) != 0)
		ret = complain("the two are not the same");
	explicit_bzero(again, sizeof(again));
	return ret;
}

int tandem_password_read(char buf[TANDEM_PASSWORD_SIZE])
{
	struct termios shown, hidden;
	int ret;

	if (!isatty(STDIN_FILENO))
		return read_line(buf);
	if (tcgetattr(STDIN_FILENO, &shown))
		return complain("the terminal cannot be kept from showing the password");
	hidden = shown;
	/* without signals: who gave up would be left with a terminal that shows nothing */
	hidden.c_lflag &= (tcflag_t) ~(ECHO | ISIG);
	if (tcsetattr(STDIN_FILENO, TCSAFLUSH, &hidden))
		return complain("the terminal cannot be kept from showing the password");
	ret = ask_twice(buf);
	tcsetattr(STDIN_FILENO, TCSAFLUSH, &shown);
	return ret;
}
