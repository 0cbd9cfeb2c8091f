/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Where the blocks of a capture go: a file, several of limited size of which the last ones are kept,
 * or memory that has the last seconds of it until they are asked for. Each file has the blocks that
 * describe it in front, and can be read alone.
 */
#ifndef TANDEM_CLI_CAPTURE_FILE_H
#define TANDEM_CLI_CAPTURE_FILE_H

#include <stddef.h>
#include <stdint.h>

struct capture_file;

struct capture_file_options {
	const char *name;      /* "-": stdout */
	uint64_t size;	       /* bytes of a file before the next one is begun; 0: any */
	unsigned int files;    /* that are kept; 0: all */
	unsigned int memory_s; /* seconds that are kept in memory; 0: all is written at once */
};

/* 0 or a negative errno, of which stderr has been told. */
int capture_file_open(struct capture_file **filep, const struct capture_file_options *options);

/* One block of pcapng. What cannot be written is an error: -ENOSPC and the like, told as well. */
int capture_file_block(struct capture_file *file, const unsigned char *block, uint32_t len);

/* Write what memory has to the next file, and forget it. */
int capture_file_dump(struct capture_file *file);

/* Complete what is open. 0, or the error of the last write. */
int capture_file_close(struct capture_file *file);

uint64_t capture_file_packets(const struct capture_file *file);
/* What the last block says of packets that are not there. */
uint64_t capture_file_lost(const struct capture_file *file);

#endif
